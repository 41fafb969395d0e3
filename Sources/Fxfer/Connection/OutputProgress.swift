/// How far the socket has come with what a ``WireChannel`` handed over.
struct OutputProgress: Hashable {
    /// How many writes it has taken whole; wraps around.
    var takenWrites: Int
    /// How many bytes it has taken; wraps around.
    var takenBytes: Int
    /// How many bytes wait for it.
    var waitingBytes: Int
}
