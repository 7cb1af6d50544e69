"""How fast the engines are: `contestants` are raced by `command`; `growth` goes by size."""
