import FxferProtocol

/// What is on its way to a receiver: frames, and what follows on CHUNK outside any frame.
enum WireItem {
    case frame(Frame)
    case payload([UInt8])
    case digest(Digest)
}
