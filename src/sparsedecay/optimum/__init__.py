"""How far trained shallow networks are from the global optimum (`science.convex` has the maths)."""
