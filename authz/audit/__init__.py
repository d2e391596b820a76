"""The audit log: recording what was done, in the transaction that did it."""
