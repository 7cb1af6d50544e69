"""The paper's statements: what each says, the number that tests it, and the verdict."""
