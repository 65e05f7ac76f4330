"""Pages of the staff about the house: policies, hours, closures, resources, statistics."""
