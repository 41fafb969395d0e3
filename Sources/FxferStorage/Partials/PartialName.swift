import FxferProtocol
import NIOCore

/// What a file is called while it is staged.
///
/// ```
/// 32 random hexadecimal digits              .tmp       content that no later try can go on from
/// 32 hexadecimal digits made of the path    .part      content that a later try may go on from
/// the same digits                           .journal   what of that is verified
/// ```
/// None is longer than 47 bytes, so a final name of 255 bytes needs no longer one here. In a folder that holds other
/// files, too, each begins with a prefix.
struct PartialName: Hashable, Sendable {
    /// The content's name.
    let content: CPath
    /// The journal's name; nil for content that no later try can go on from.
    let journal: CPath?

    private init(_ digits: some Collection<UInt8>, prefix: [UInt8], isResumable: Bool) {
        self.content = CPath(prefix + digits + (isResumable ? Self.partSuffix : Self.scratchSuffix))
        self.journal = isResumable ? CPath(prefix + digits + Self.journalSuffix) : nil
    }

    /// A name of 128 random bits: no two uploads meet.
    static func random(prefix: [UInt8]) -> PartialName {
        PartialName(Self.randomDigits(), prefix: prefix, isResumable: false)
    }

    /// The one name for parts of the file at `path`: the first half of the SHA-256 of its bytes.
    init(for path: RelativePath, prefix: [UInt8]) {
        var hash = SHA256()
        hash.update(ByteBuffer(bytes: path.bytes))
        self.init(Array(hash.digest().hex.utf8.prefix(Self.digitCount)), prefix: prefix, isResumable: true)
    }

    /// The staged file that `name` belongs to as content or journal; nil where it is no name of this kind.
    init?(_ name: CPath, prefix: [UInt8]) {
        let bytes = name.bytes
        guard bytes.starts(with: prefix) else { return nil }
        let digits = bytes.dropFirst(prefix.count).prefix(Self.digitCount)
        guard digits.count == Self.digitCount, digits.allSatisfy(Self.digits.contains) else { return nil }
        switch Array(bytes.dropFirst(prefix.count + Self.digitCount)) {
        case Self.scratchSuffix: self.init(digits, prefix: prefix, isResumable: false)
        case Self.partSuffix, Self.journalSuffix: self.init(digits, prefix: prefix, isResumable: true)
        default: return nil
        }
    }

    /// 128 random bits in hexadecimal.
    static func randomDigits() -> [UInt8] {
        var random = SystemRandomNumberGenerator()
        return (0..<Self.digitCount).map { _ in Self.digits[Int.random(in: 0..<16, using: &random)] }
    }

    private static let digitCount = 32
    private static let digits = Array("0123456789abcdef".utf8)
    private static let scratchSuffix = Array(".tmp".utf8)
    private static let partSuffix = Array(".part".utf8)
    private static let journalSuffix = Array(".journal".utf8)
}
