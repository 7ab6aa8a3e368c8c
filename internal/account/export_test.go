package account

// Exported for the tests alone.
var (
	NewRecovery   = newRecovery
	CleanRecovery = cleanRecovery
	RecoveryHash  = recoveryHash
)
