"""What a description cannot say, told to Schemathesis. It is imported by Schemathesis, not by the suite."""
