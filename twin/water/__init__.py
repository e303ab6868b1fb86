"""Water supply: models of EPANET from the layers, their runs, the balance of metered areas."""
