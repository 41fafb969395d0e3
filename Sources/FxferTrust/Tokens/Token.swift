import FxferProtocol

/// A secret that a client and a server share. It never crosses the wire; both prove that they know it.
///
/// Neither its description nor a mirror shows it.
public struct Token: Hashable, Sendable {
    /// 22 characters of base64 are the first that hold 128 bits.
    static let sizes = 22...256

    /// The secret's ASCII characters, the key of the proofs.
    let bytes: [UInt8]

    private init(bytes: [UInt8]) {
        self.bytes = bytes
    }

    /// Takes 22 to 256 printable ASCII characters other than the space, `:` and `#`; nil for anything else.
    package init?(_ bytes: some Collection<UInt8>) {
        guard Self.sizes.contains(bytes.count), bytes.allSatisfy(Self.isAllowed) else { return nil }
        self.init(bytes: Array(bytes))
    }

    /// Reads the value of the environment variable FXFER_TOKEN: a line as in a token file.
    ///
    /// - Throws: `.usage`, without a word of the value.
    public init(environment value: String) throws(FxferError) {
        do throws(TokenLineFailure) {
            self = try TokenList.Entry(line: Array(value.utf8)).token
        } catch {
            throw FxferError(.usage, "FXFER_TOKEN \(error.explanation); 'fxfer token' makes a good one")
        }
    }

    /// A new token of 256 random bits: 43 characters.
    public static func random() -> Token {
        Token(bytes: Base64.encodeForNames(RandomBytes.make(32)))
    }

    /// The secret itself, for whoever has just made it and must write it down.
    public var text: String { String(decoding: self.bytes, as: UTF8.self) }

    private static func isAllowed(_ character: UInt8) -> Bool {
        (0x21...0x7E).contains(character) && character != UInt8(ascii: ":") && character != UInt8(ascii: "#")
    }
}

extension Token: CustomStringConvertible, CustomReflectable {
    /// Always `<token>`.
    public var description: String { "<token>" }

    /// Shows nothing.
    public var customMirror: Mirror { Mirror(self, children: EmptyCollection<Mirror.Child>()) }
}
