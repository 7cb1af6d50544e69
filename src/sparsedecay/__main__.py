from sparsedecay.cli import main

main()
