"""What decides numbers, and nothing else: it imports no other room of this package.

Runs are made of kinds: networks, regularizers, data sets, initializations, optimizers. Each kind is
one module of its family's folder and says all there is to say of it; see `kinds`.
"""
