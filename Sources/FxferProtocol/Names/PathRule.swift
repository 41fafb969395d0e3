/// The rules that a name must keep, each as the error of a name that breaks it.
public enum PathRule: Error, Hashable, Sendable, CaseIterable {
    case empty
    case emptyComponent
    case dots
    case controlByte
    case componentTooLong
    case tooLong
    case tooDeep
    case reserved

    /// What is wrong, as the end of a sentence that began with the name.
    public var explanation: String {
        switch self {
        case .empty: "is empty"
        case .emptyComponent: "has an empty component (a slash at its beginning or end, or two in a row)"
        case .dots: "has a component '.' or '..'"
        case .controlByte: "has a control byte"
        case .componentTooLong: "has a component of more than \(RelativePath.maxComponentBytes) bytes"
        case .tooLong: "has more than \(RelativePath.maxBytes) bytes"
        case .tooDeep: "has more than \(RelativePath.maxComponents) components"
        case .reserved: "begins with '.fxfer', which is the receiver's own folder"
        }
    }
}
