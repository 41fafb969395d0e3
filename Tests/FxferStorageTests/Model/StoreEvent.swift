import FxferProtocol

@testable import FxferStorage

/// One thing that clients or the server do. Each makes sense after any other, as it does nothing where it does not apply:
/// so a sequence that fails can be made shorter by leaving any of them out.
enum StoreEvent: CustomStringConvertible {
    /// A client, by its number, offers a file; what it had begun is dropped.
    case offer(Int, ModelFile, Comparison)
    /// It sends the next part, which is good.
    case send(Int)
    /// It sends a part that is damaged, which is taken back.
    case damage(Int)
    /// These send what is left, and finish at the same time.
    case finish([Int])
    /// It gives its file up.
    case cancel(Int, keepingPartial: Bool)
    /// Nobody knows of its file any more.
    case forget(Int)
    /// A folder is sent.
    case folder([UInt8])
    /// The server is killed and started again: what was in its folder is all that is left.
    case crash
    /// The server ends in order and is started again with another policy.
    case reopen(ConflictPolicy)

    static let clientCount = 3

    /// A random sequence. Most of its offers are of a few files, so that they meet each other.
    static func sequence(_ count: Int, _ generator: inout some RandomNumberGenerator) -> [StoreEvent] {
        let common = ModelFile.fewOfOnePath(&generator) + ModelFile.fewOfOnePath(&generator)
        return (0..<count).map { _ in .random(common, &generator) }
    }

    private static func random(_ common: [ModelFile], _ generator: inout some RandomNumberGenerator) -> StoreEvent {
        let client = Int.random(in: 0..<Self.clientCount, using: &generator)
        switch Int.random(in: 0..<100, using: &generator) {
        case 0..<30:
            let comparison = [Comparison.afterwards, .byDigest, .byDigest, .bySizeAndTime]
                .randomElement(using: &generator)
            let isCommon = Int.random(in: 0..<4, using: &generator) > 0
            let file = isCommon ? common.randomElement(using: &generator) : nil
            return .offer(client, file ?? .random(&generator), comparison ?? .byDigest)
        case 30..<50: return .send(client)
        case 50..<56: return .damage(client)
        case 56..<80:
            let others = (0..<Self.clientCount).filter { _ in Int.random(in: 0..<3, using: &generator) == 0 }
            return .finish([client] + others.filter { $0 != client })
        case 80..<86: return .cancel(client, keepingPartial: Int.random(in: 0..<4, using: &generator) > 0)
        case 86..<88: return .forget(client)
        case 88..<91: return .folder(ModelFile.folders.randomElement(using: &generator) ?? [])
        case 91..<95: return .crash
        default:
            return .reopen([.refuse, .replace, .keepBoth].randomElement(using: &generator) ?? .refuse)
        }
    }

    var description: String {
        switch self {
        case .offer(let client, let file, let comparison): "client \(client) offers \(file), \(comparison)"
        case .send(let client): "client \(client) sends a part"
        case .damage(let client): "client \(client) sends a damaged part"
        case .finish(let clients): "clients \(clients) finish"
        case .cancel(let client, let keeping): "client \(client) gives up\(keeping ? ", to go on later" : "")"
        case .forget(let client): "client \(client) is forgotten"
        case .folder(let path): "the folder \(EscapedText.escape(path)) is sent"
        case .crash: "the server is killed"
        case .reopen(let policy): "the server is started again: \(policy)"
        }
    }
}

/// A file as clients send it.
struct ModelFile: Hashable, CustomStringConvertible {
    let path: [UInt8]
    let size: Int
    /// Files of one size differ by it, in content and time.
    let variant: Int
    let isSizeKnown: Bool

    /// Names that are in each other's way, and the one that keeping both gives to a second `a`.
    private static let paths = ["a", "a.1", "d", "d/x", "d/x.1"].map { Array($0.utf8) }
    static let folders = ["d", "e", "d/x"].map { Array($0.utf8) }
    /// None, in memory, on the disk, and more than the 1 MiB of which partials are kept.
    private static let sizes = [0, 10, 40_000, (1 << 20) + 1, largest]
    private static let largest = 1_600_000
    /// Three of them make the largest file.
    static let partSize = 700_000

    static func random(_ generator: inout some RandomNumberGenerator) -> ModelFile {
        ModelFile(
            path: Self.paths.randomElement(using: &generator) ?? [],
            size: Self.sizes.randomElement(using: &generator) ?? 0,
            variant: Int.random(in: 0..<2, using: &generator),
            isSizeKnown: Int.random(in: 0..<8, using: &generator) > 0
        )
    }

    /// Both variants of one size, and one of another.
    static func fewOfOnePath(_ generator: inout some RandomNumberGenerator) -> [ModelFile] {
        let file = ModelFile.random(&generator)
        let size = Self.sizes.randomElement(using: &generator) ?? 0
        return [(file.size, 0), (file.size, 1), (size, file.variant)].map { size, variant in
            ModelFile(path: file.path, size: size, variant: variant, isSizeKnown: file.isSizeKnown)
        }
    }

    private static let contents = (0..<2).map { testBytes(Self.largest, seed: UInt64($0 + 1)) }
    private static let digests = Self.contents.map { content in
        Dictionary(uniqueKeysWithValues: Self.sizes.map { ($0, SHA256.digest(of: content.prefix($0))) })
    }

    var content: ArraySlice<UInt8> { Self.contents[self.variant].prefix(self.size) }
    var digest: Digest { Self.digests[self.variant][self.size] ?? .ofNothing }

    /// SHA-256 of the first `count` bytes.
    func digest(upTo count: Int) -> Digest { SHA256.digest(of: self.content.prefix(count)) }

    var attributes: FileAttributes {
        FileAttributes(
            size: self.isSizeKnown ? UInt64(self.size) : nil,
            modified: FileTime(seconds: 1_700_000_000 + Int64(self.variant), nanoseconds: 5)
        )
    }

    /// Whether what is sent of it is kept for a later try, where it is asked for so.
    func isResumable(_ comparison: Comparison) -> Bool {
        self.isSizeKnown && self.size > 1 << 20 && comparison != .afterwards
    }

    var description: String {
        "\(EscapedText.escape(self.path)) \(self.size)/\(self.variant)\(self.isSizeKnown ? "" : " of unknown size")"
    }
}
