"""Water under pressure: EPANET 2.3 through the C interface of its toolkit, in SI units."""
