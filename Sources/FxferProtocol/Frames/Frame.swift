import NIOCore

/// One frame of version 1: what either side says to the other.
///
/// ```
///  +----------------------+------------------+----------------------+
///  | header, 12 bytes     | body             | CRC-32 of body (4)   |
///  +----------------------+------------------+----------------------+
/// ```
package enum Frame: Hashable, Sendable {
    case hello(Hello)
    case welcome(Welcome)
    case error(SessionFailure)
    case bye
    case offer(Offer)
    case accept(Accept)
    case refuse(FileFailure)
    case cancel(FileFailure)
    case chunk(Chunk)
    case confirm(FilePosition)
    case rewind(FilePosition)
    case finish(Finish)
    case receipt(Receipt)
    case alive

    package var type: FrameType {
        switch self {
        case .hello: .hello
        case .welcome: .welcome
        case .error: .error
        case .bye: .bye
        case .offer: .offer
        case .accept: .accept
        case .refuse: .refuse
        case .cancel: .cancel
        case .chunk: .chunk
        case .confirm: .confirm
        case .rewind: .rewind
        case .finish: .finish
        case .receipt: .receipt
        case .alive: .alive
        }
    }

    /// Appends the whole frame. What follows a CHUNK frame (payload and running digest) is not part of it.
    package func write(into buffer: inout ByteBuffer) {
        let start = buffer.writerIndex
        buffer.writeRepeatingByte(0, count: FrameHeader.byteCount)
        self.writeBody(into: &buffer)
        let length = buffer.writerIndex - start - FrameHeader.byteCount

        var header = ByteBuffer()
        FrameHeader(bodyLength: UInt32(length), type: self.type).write(into: &header)
        buffer.setBuffer(header, at: start)
        let body = buffer.viewBytes(at: start + FrameHeader.byteCount, length: length) ?? ByteBuffer().readableBytesView
        buffer.writeInteger(CRC32.checksum(of: body))
    }

    private func writeBody(into buffer: inout ByteBuffer) {
        switch self {
        case .hello(let hello): hello.write(into: &buffer)
        case .welcome(let welcome): welcome.write(into: &buffer)
        case .error(let failure): failure.write(into: &buffer)
        case .offer(let offer): offer.write(into: &buffer)
        case .accept(let accept): accept.write(into: &buffer)
        case .refuse(let failure), .cancel(let failure): failure.write(into: &buffer)
        case .chunk(let chunk): chunk.write(into: &buffer)
        case .confirm(let position), .rewind(let position): position.write(into: &buffer)
        case .finish(let finish): finish.write(into: &buffer)
        case .receipt(let receipt): receipt.write(into: &buffer)
        case .bye, .alive: break
        }
    }

    /// Reads a body whose checksum was right; nil for an unknown optional type.
    ///
    /// - Throws: `protocolViolation` for an unknown critical type and for a body that is malformed, and what the frame
    ///   itself refuses.
    init?(type: FrameType, body bytes: ByteBuffer) throws(FxferError) {
        let body = FrameBody(bytes, of: type)
        switch type {
        case .hello: self = .hello(try Hello(from: body))
        case .welcome: self = .welcome(try Welcome(from: body))
        case .error: self = .error(try SessionFailure(from: body))
        case .offer: self = .offer(try Offer(from: body))
        case .accept: self = .accept(try Accept(from: body))
        case .refuse: self = .refuse(try FileFailure(from: body))
        case .cancel: self = .cancel(try FileFailure(from: body))
        case .chunk: self = .chunk(try Chunk(from: body))
        case .confirm: self = .confirm(try FilePosition(from: body))
        case .rewind: self = .rewind(try FilePosition(from: body))
        case .finish: self = .finish(try Finish(from: body))
        case .receipt: self = .receipt(try Receipt(from: body))
        case .bye:
            try body.fields()
            self = .bye
        case .alive:
            try body.fields()
            self = .alive
        case _ where type.isOptional:
            return nil
        default:
            throw FxferError(.protocolViolation, "frames of type \(type) are not known here")
        }
    }
}
