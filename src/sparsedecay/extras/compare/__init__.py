"""What differs between two sides: `sources` finds them and `sides` reads them, `match` pairs their
results, `comparison` measures the differences, `report` puts them in words, and `writers` write it.
"""
