"""How fast the engines are: `contestants` (what is compared), `race`, `growth` and the command."""
