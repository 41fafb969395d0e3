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
    case auth(Auth)
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
    case same(Same)
    case repair(Repair)
    case get(Get)
    case list(List)
    case entry(Entry)
    case listed(Listed)
    case alive
    case reading(Reading)

    package var type: FrameType {
        switch self {
        case .hello: .hello
        case .welcome: .welcome
        case .auth: .auth
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
        case .same: .same
        case .repair: .repair
        case .get: .get
        case .list: .list
        case .entry: .entry
        case .listed: .listed
        case .alive: .alive
        case .reading: .reading
        }
    }

    /// Appends the whole frame. What follows a CHUNK frame (payload and running digest) is not part of it.
    package func write(into buffer: inout ByteBuffer) {
        let start = buffer.writerIndex
        buffer.writeRepeatingByte(0, count: FrameHeader.byteCount)
        self.writeBody(into: &buffer)
        let end = buffer.writerIndex
        let length = end - start - FrameHeader.byteCount

        buffer.moveWriterIndex(to: start)
        FrameHeader(bodyLength: UInt32(length), type: self.type).write(into: &buffer)
        buffer.moveWriterIndex(to: end)
        buffer.writeInteger(buffer.checksum(at: start + FrameHeader.byteCount, length: length))
    }

    private func writeBody(into buffer: inout ByteBuffer) {
        switch self {
        case .hello(let hello): hello.write(into: &buffer)
        case .welcome(let welcome): welcome.write(into: &buffer)
        case .auth(let auth): auth.write(into: &buffer)
        case .error(let failure): failure.write(into: &buffer)
        case .offer(let offer): offer.write(into: &buffer)
        case .accept(let accept): accept.write(into: &buffer)
        case .refuse(let failure), .cancel(let failure): failure.write(into: &buffer)
        case .chunk(let chunk): chunk.write(into: &buffer)
        case .confirm(let position), .rewind(let position): position.write(into: &buffer)
        case .finish(let finish): finish.write(into: &buffer)
        case .receipt(let receipt): receipt.write(into: &buffer)
        case .same(let same): same.write(into: &buffer)
        case .repair(let repair): repair.write(into: &buffer)
        case .get(let get): get.write(into: &buffer)
        case .list(let list): list.write(into: &buffer)
        case .entry(let entry): entry.write(into: &buffer)
        case .listed(let listed): listed.write(into: &buffer)
        case .reading(let reading): reading.write(into: &buffer)
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
        case .auth: self = .auth(try Auth(from: body))
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
        case .same: self = .same(try Same(from: body))
        case .repair: self = .repair(try Repair(from: body))
        case .get: self = .get(try Get(from: body))
        case .list: self = .list(try List(from: body))
        case .entry: self = .entry(try Entry(from: body))
        case .listed: self = .listed(try Listed(from: body))
        case .reading: self = .reading(try Reading(from: body))
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
