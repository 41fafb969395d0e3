/// Why a line is no token. None of these quotes the line.
enum TokenLineFailure: Error {
    case badName, badToken, badRights, tooManyFields

    /// Completes "line 3 …".
    var explanation: String {
        switch self {
        case .badName: "has a name that is not 1 to 64 letters, digits and ._@-"
        case .badToken:
            "has a token that is not \(Token.sizes.lowerBound) to \(Token.sizes.upperBound) printable "
                + "ASCII characters without spaces, ':' and '#'"
        case .badRights: "has a right that is none of upload, read and list"
        case .tooManyFields: "has more than NAME:TOKEN:RIGHTS"
        }
    }
}
