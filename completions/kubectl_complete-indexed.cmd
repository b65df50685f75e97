@kubectl-indexed __complete %*
