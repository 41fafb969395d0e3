import NIOCore

/// A level as a field of a frame: one byte, and no field at all for `durable`.
extension Durability {
    func write(into buffer: inout ByteBuffer, tag: UInt16) {
        guard self != .durable else { return }
        buffer.writeInteger(tag)
        buffer.writeShortBytes([self.rawValue])
    }

    /// - Parameter field: its value; nil where there is none.
    /// - Throws: `protocolViolation` for a level that is not known: what it asks for, or promises, cannot be guessed.
    init(field: [UInt8]?, of frame: String) throws(FxferError) {
        guard let field else {
            self = .durable
            return
        }
        guard field.count == 1, let level = Durability(rawValue: field[0]) else {
            throw FxferError(.protocolViolation, "\(frame) names a level of durability that is not known")
        }
        self = level
    }
}
