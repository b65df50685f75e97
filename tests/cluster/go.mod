module kubectl-indexed.invalid/tests/cluster

go 1.24
