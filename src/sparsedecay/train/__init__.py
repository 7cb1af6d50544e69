"""Training: `loop` has the order of epochs, records and checkpoints; `records` what is written down
on the way; `states` the files of milestones; `kept` what a killed workflow would lose.
"""
