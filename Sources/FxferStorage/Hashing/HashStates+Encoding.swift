import FxferProtocol
import NIOCore

/// The form in which states are kept in a file. All numbers are big-endian.
///
/// ```
///   0   8  magic       "FXSTAT", 0, version 1
///   8   8  interval    bytes between two states: a multiple of 64
///  16   8  size        bytes of the file that they are of
///  24   4  count       n, as the two before demand; 1 to 65,536
///  28 32n  states      eight words each
/// +28  32  checksum    SHA-256 of everything before
/// ```
extension HashStates {
    /// The largest encoded form in bytes.
    static let maxByteCount = Self.byteCount(for: Self.maxCount)

    private static let headerByteCount = 28
    private static let magic: [UInt8] = Array("FXSTAT".utf8) + [0, 1]

    private static func byteCount(for count: Int) -> Int {
        Self.headerByteCount + count * HashState.byteCount + Digest.byteCount
    }

    /// - Parameter size: bytes of the file that they are of.
    func encoded(size: UInt64) -> ByteBuffer {
        var bytes = ByteBuffer()
        bytes.reserveCapacity(Self.byteCount(for: self.states.count))
        bytes.writeBytes(Self.magic)
        bytes.writeInteger(self.interval)
        bytes.writeInteger(size)
        bytes.writeInteger(UInt32(self.states.count))
        for state in self.states { bytes.writeState(state) }
        bytes.writeBytes(Self.checksum(of: bytes).bytes)
        return bytes
    }

    /// Reads the states of a file of `size` bytes; nil where anything in `encoded` is wrong: damaged, cut off, too long,
    /// another version's or another file's.
    init?(_ encoded: ByteBuffer, size: UInt64) {
        var rest = encoded
        guard encoded.readableBytes <= Self.maxByteCount, rest.readBytes(length: Self.magic.count) == Self.magic,
            let interval = rest.readInteger(as: UInt64.self),
            interval > 0, interval.isMultiple(of: UInt64(HashState.blockSize)),
            rest.readInteger(as: UInt64.self) == size,
            let count = rest.readInteger(as: UInt32.self),
            count > 0, count <= Self.maxCount, UInt64(count) == Self.count(for: size, interval),
            encoded.readableBytes == Self.byteCount(for: Int(count)),
            let checked = encoded.getSlice(
                at: encoded.readerIndex,
                length: encoded.readableBytes - Digest.byteCount
            ),
            encoded.readableBytesView.suffix(Digest.byteCount).elementsEqual(Self.checksum(of: checked).bytes)
        else { return nil }
        self.init(interval: interval)
        while self.states.count < count, let state = rest.readState() { self.add(state) }
    }

    private static func checksum(of bytes: ByteBuffer) -> Digest {
        var hash = SHA256()
        hash.update(bytes)
        return hash.digest()
    }
}
