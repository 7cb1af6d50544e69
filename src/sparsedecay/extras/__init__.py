"""What nothing else needs: archives, comparisons, benchmarks, documents."""
