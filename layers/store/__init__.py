"""The city in PostGIS; together with ``twin/store*.py`` the only home of SQL."""
