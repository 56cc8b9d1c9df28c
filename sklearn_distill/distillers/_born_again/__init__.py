"""Parts of BornAgainClassifier: generations, their chains, their training data and scores."""
