"""Methods over fixed problem sets: results, reports, figures."""
