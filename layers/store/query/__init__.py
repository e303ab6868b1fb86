"""Questions to the layers: filters, order, groups and saved queries become SQL with bound parameters."""
