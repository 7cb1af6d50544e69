"""The convex problem that training a shallow network is equal to, its dual, and its optimum.

A shallow network is f(x) = sum_k v_k relu(w_k·x - b_k) + C x + c0. Its neuron k does not change
when (w_k, b_k) is multiplied by t > 0 and v_k by 1 / t; the least charge over t is a norm of the
neuron as a whole. So minimising loss + lam · regularizer over networks of any width is convex in
the measure over neurons that Section 1 of the paper speaks of:

    problem        the objective over neurons, and its dual: a lower bound from any residual
    separation     is a dual point feasible? a maximum over all neurons, with a proof
    bound          a proved lower bound on the objective of every network
    optimum        the optimum by column generation, with a gap that is proved
    sparsest       few neurons that do as well

Symbols are the paper's: N points X in d dimensions, targets y, weight lam. One output: D outputs
charged by ||v_k||_1 are D such problems, one for each.
"""
