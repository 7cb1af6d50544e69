"""What differs between two sides: `sources` finds them and `sides` reads them, `comparison` pairs
their results and measures the differences, `report` puts them in words, and `writers` write it.
"""
