"""What people see of results: charts, reports, files and runs."""
