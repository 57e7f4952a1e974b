"""The exhibit certificate: what a court reads on paper, made from the record and nothing else."""
