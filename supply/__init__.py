"""What the product is made of: dependencies, their licences, known weaknesses, bill of materials."""
