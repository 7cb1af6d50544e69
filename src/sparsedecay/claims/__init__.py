"""The paper's statements, the `networks` that test them, and the verdict."""
