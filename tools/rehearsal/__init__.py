"""A rehearsal: the steps from a library of videos to its review, in the offline world."""
