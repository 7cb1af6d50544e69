"""Config files: `reading` them as `entries`, the `schema` of what they may hold, and `explain`,
which puts what is wrong in words."""
