"""What must hold of the data whatever happens: each invariant finds the places where it does not."""
