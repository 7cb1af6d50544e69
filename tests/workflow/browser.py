"""A headless Chromium, driven by its DevTools protocol: opens a page and tells what it did."""

import base64
import json
import shutil
import subprocess
from pathlib import Path
from typing import Any
from urllib.request import urlopen

import websocket

from tests.processes import wait_for

NAMES = ("chromium", "chromium-browser", "google-chrome", "google-chrome-stable")


def installed() -> str | None:
    return next((path for name in NAMES if (path := shutil.which(name))), None)


class Browser:
    """Context manager; `messages` are the console's errors, `requests` the addresses asked for."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self.messages: list[str] = []
        self.requests: list[str] = []
        self.count = 0

    def __enter__(self) -> "Browser":
        self.process = subprocess.Popen(
            [installed(), "--headless=new", "--no-sandbox", "--disable-gpu", "--no-first-run",
             "--disable-dev-shm-usage", "--remote-debugging-port=0", "--window-size=1500,1100",
             f"--user-data-dir={self.folder}", "about:blank"],
            stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL,
        )  # fmt: skip
        file = self.folder / "DevToolsActivePort"
        wait_for(lambda: file.exists() and "\n" in file.read_text(), "the browser has started", 30)
        port = file.read_text().splitlines()[0]
        with urlopen(f"http://127.0.0.1:{port}/json") as answer:
            pages = [target for target in json.load(answer) if target["type"] == "page"]
        self.socket = websocket.create_connection(
            pages[0]["webSocketDebuggerUrl"], timeout=60, suppress_origin=True
        )
        for domain in ("Page", "Runtime", "Network", "Log"):
            self.call(f"{domain}.enable")
        return self

    def __exit__(self, *_: object) -> None:
        self.socket.close()
        self.process.terminate()
        self.process.wait(30)

    def call(self, method: str, **parameters: Any) -> dict[str, Any]:
        """One command of the protocol; what happens meanwhile is noted."""
        self.count += 1
        self.socket.send(json.dumps({"id": self.count, "method": method, "params": parameters}))
        while True:
            answer = json.loads(self.socket.recv())
            if answer.get("id") == self.count:
                if "error" in answer:
                    raise RuntimeError(answer["error"]["message"])
                return answer["result"]
            self.note(answer)

    def note(self, event: dict[str, Any]) -> None:
        match event["method"], event["params"]:
            case "Network.requestWillBeSent", about:
                self.requests.append(about["request"]["url"])
            case "Runtime.exceptionThrown", about:
                details = about["exceptionDetails"]
                self.messages.append(details.get("exception", details).get("description", "?"))
            case "Log.entryAdded", {"entry": {"level": "error", "text": text}}:
                self.messages.append(text)
            case "Runtime.consoleAPICalled", {"type": "error", "args": values}:
                self.messages.append(" ".join(str(value.get("value")) for value in values))

    def open(self, page: Path) -> None:
        self.call("Page.navigate", url=page.as_uri())
        self.until("document.readyState == 'complete'")

    def evaluate(self, expression: str) -> Any:
        """The value of a JavaScript expression."""
        result = self.call("Runtime.evaluate", expression=expression, returnByValue=True)
        if "exceptionDetails" in result:
            raise RuntimeError(result["exceptionDetails"]["exception"]["description"])
        return result["result"].get("value")

    def until(self, expression: str) -> Any:
        """Wait until an expression is true."""
        wait_for(lambda: self.evaluate(expression), expression, 30)
        return self.evaluate(expression)

    def picture(self, file: Path) -> None:
        file.write_bytes(base64.b64decode(self.call("Page.captureScreenshot")["data"]))
