"""What differs between two sides: `sources` finds them, `match` pairs their results, `changes`
measures the differences, `report` puts them in words, and `text`, `markdown` and `page` write it.
"""
