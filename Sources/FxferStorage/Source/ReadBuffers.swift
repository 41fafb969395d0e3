import NIOCore

/// A few buffers that are used in turn. One that the socket has let go of is used again as it is, which spares the
/// memory and the page faults of a new one; one that is still held elsewhere is left to its holder.
struct ReadBuffers {
    /// One that is filled, two that wait for the socket, and one to spare.
    private static let count = 4

    private var buffers: [ByteBuffer] = []

    /// Lets `body` write into an empty buffer and answers it.
    mutating func fill(_ body: (inout ByteBuffer) throws(Errno) -> Void) throws(Errno) -> ByteBuffer {
        // Taken out of the array, so that it is the only reference where nobody else holds it.
        var buffer = self.buffers.count < Self.count ? ByteBuffer() : self.buffers.removeFirst()
        buffer.clear()
        try body(&buffer)
        self.buffers.append(buffer)
        return buffer
    }
}
