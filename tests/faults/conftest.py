from tests.workflow.conftest import built, replicated, study

__all__ = ["built", "replicated", "study"]
