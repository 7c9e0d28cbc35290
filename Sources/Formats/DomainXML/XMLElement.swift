/// One element of an XML document, with what it holds.
package struct XMLElement {
  /// The name without its prefix.
  package var name: String
  /// The URI of the name's namespace; empty where it is in none.
  package var namespace: String
  /// The attributes that are in no namespace.
  package var attributes: [(name: String, value: String)]
  package var children: [XMLElement] = []
  /// The text directly in the element, CDATA sections included, comments left out.
  package var text = ""
  /// Where the element's start tag begins.
  var line: Int
  var column: Int

  subscript(attribute: String) -> String? {
    attributes.first { $0.name == attribute }?.value
  }

  /// The elements of no namespace that a path of names leads to, in the order of the document.
  func elements(_ path: String...) -> [XMLElement] {
    path.reduce([self]) { parents, name in
      parents.flatMap { $0.children.filter { $0.name == name && $0.namespace.isEmpty } }
    }
  }

  /// The first element that a path of names leads to.
  func element(_ path: String...) -> XMLElement? {
    var place: XMLElement? = self
    for name in path {
      place = place?.children.first { $0.name == name && $0.namespace.isEmpty }
    }
    return place
  }

  func error(_ sentence: String) -> DomainXMLError {
    DomainXMLError(line: line, column: column, sentence)
  }
}

/// A value of a document in a sentence: quoted, and of a length that fits on a line.
///
/// Scalars are counted, since a single character may have any number of marks.
func quoted(_ value: String) -> String {
  let start = Substring(value.unicodeScalars.prefix(60))
  return start.endIndex < value.endIndex ? "“\(start)…”" : "“\(value)”"
}
