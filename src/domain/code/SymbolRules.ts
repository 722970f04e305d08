/**
 * Which nodes of a syntax tree are symbols. Grammars name alike things alike, so that one table serves all languages; what a node is
 * called in one and means in another has its own line.
 */

/**
 * What a node is:
 * - `scope`: a symbol with members, such as a class; the members have chunks of their own.
 * - `symbol`: one without, such as a function.
 * - `value`: a constant, a variable, a field: a symbol of its own when it is long or holds a function.
 * - `wrapper`: stands around a symbol and belongs to it, such as `export` or a decorator.
 * - `body`: what is inside is looked at as if it stood there itself.
 */
export type NodeRole = "scope" | "symbol" | "value" | "wrapper" | "body"

const roles: ReadonlyArray<readonly [role: NodeRole, types: string]> = [
  [
    "scope",
    `class_declaration abstract_class_declaration class_definition class class_specifier interface_declaration
    annotation_type_declaration record_declaration enum_declaration struct_declaration struct_specifier union_specifier
    module internal_module impl_item trait_item mod_item namespace_declaration namespace_definition
    trait_declaration trait_definition protocol_declaration object_declaration object_definition companion_object
    mixin_declaration extension_declaration contract_declaration library_declaration`
  ],
  [
    "symbol",
    `function_declaration generator_function_declaration function_definition method_definition method_declaration
    constructor_declaration destructor_declaration operator_declaration conversion_operator_declaration compact_constructor_declaration
    function_item macro_definition method singleton_method type_alias_declaration type_item type_alias type_spec
    type_definition struct_item enum_item union_item enum_specifier init_declaration deinit_declaration subscript_declaration
    typealias_declaration secondary_constructor constructor_definition modifier_definition delegate_declaration
    preproc_function_def enum_definition given_definition`
  ],
  [
    "value",
    `lexical_declaration variable_declaration const_declaration var_declaration const_item static_item property_declaration
    field_declaration public_field_definition field_definition val_definition var_definition declaration preproc_def assignment assignment_expression
    function_signature method_signature getter_signature setter_signature event_definition state_variable_declaration`
  ],
  [
    "wrapper",
    "export_statement decorated_definition ambient_declaration template_declaration type_declaration"
  ],
  [
    "body",
    `preproc_if preproc_ifdef preproc_else preproc_elif linkage_specification declaration_list class_body interface_body
    enum_body enum_body_declarations enum_class_body block body_statement template_body field_declaration_list protocol_body
    contract_body enum_declaration_list compound_statement statement_block do_block extension_body expression_statement ERROR`
  ]
]

const roleByType: ReadonlyMap<string, NodeRole> = new Map(
  roles.flatMap(([role, types]) => types.split(/\s+/).map((type) => [type, role] as const))
)

/** What a node is; nothing when it is no more than text. */
export const roleOf = (type: string): NodeRole | undefined => roleByType.get(type)

/** What holds code when it is the value of a variable or a field. */
export const functionTypes: ReadonlySet<string> = new Set([
  "arrow_function",
  "function_expression",
  "function",
  "generator_function",
  "function_definition",
  "class",
  "lambda_literal"
])

/** Nodes that stand before a symbol, beside it, and belong to it. */
export const isLead = (type: string): boolean =>
  type === "attribute_item" || type === "decorator" || type === "annotation" || type.includes("comment")

/**
 * What the brain calls a kind of symbol, made from the name that the grammar has for it. The rule is the original's: its
 * searches go by these words.
 */
export const symbolTypeOf = (nodeType: string): string => {
  if (nodeType.includes("function") || nodeType === "method" || nodeType === "singleton_method") {
    return "function"
  }
  for (const [part, type] of [
    ["class", "class"],
    ["interface", "interface"],
    ["type_alias", "type"],
    ["enum", "enum"],
    ["module", "module"]
  ] as const) {
    if (nodeType.includes(part)) return type
  }
  return known[nodeType] ?? nodeType.replaceAll("_", " ")
}

// Kinds for which the original has no word, by the word that comes nearest to them.
const known: Readonly<Record<string, string>> = {
  companion_object: "object declaration",
  type_spec: "type declaration",
  type_definition: "type",
  typealias_declaration: "type",
  init_declaration: "constructor declaration",
  secondary_constructor: "constructor declaration",
  constructor_definition: "constructor declaration",
  compact_constructor_declaration: "constructor declaration",
  val_definition: "const declaration",
  var_definition: "var declaration",
  method_signature: "function",
  library_declaration: "contract"
}
