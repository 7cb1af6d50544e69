from tests.workflow.conftest import built, replicated, study, warm

__all__ = ["built", "replicated", "study", "warm"]
