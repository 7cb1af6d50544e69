"""The paper's figures: tables and weights in, picture out. Nothing here trains or measures."""
