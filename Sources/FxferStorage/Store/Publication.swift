/// How a file came to be in the store, durable in either case.
package enum Publication: Hashable, Sendable {
    /// It was stored under its name, which was free.
    case stored
    /// A file with the same bytes has the name already; that one was made durable and stays as it is.
    case identical
}
