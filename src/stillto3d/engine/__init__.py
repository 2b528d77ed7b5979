"""Who is next: the queue, residency and cancellation of model calls. No Qt; owns no thread but its pipes'."""
