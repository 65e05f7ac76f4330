"""Pages of the staff: today, people, groups, the audit trail, health of the processes."""
