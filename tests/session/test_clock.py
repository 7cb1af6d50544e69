"""No input lies in the future."""

import os
import time
from unittest.mock import Mock

from sparsedecay.session.clock import to_the_present


def test_what_lies_in_the_future_is_dated_now(tmp_path):
    now = time.time()
    names = {"old": now - 1000, "now": now, "soon": now + 1000, "late": now + 1e9}
    for name, stamp in names.items():
        (tmp_path / name).write_text(name)
        os.utime(tmp_path / name, (stamp, stamp))
    files = [str(tmp_path / name) for name in (*names, "missing")]
    assert to_the_present(files) == [str(tmp_path / name) for name in ("soon", "late")]
    for name, stamp in names.items():
        dated = (tmp_path / name).stat().st_mtime
        assert dated == stamp if stamp <= now else now - 1 <= dated <= time.time() + 1
    assert to_the_present(files) == []


def test_what_may_not_be_dated_is_left(tmp_path, monkeypatch):
    (tmp_path / "late").write_text("late")
    os.utime(tmp_path / "late", (9e9, 9e9))
    monkeypatch.setattr("os.utime", Mock(side_effect=PermissionError))
    assert to_the_present([str(tmp_path / "late")]) == []
