/**
 * Keeps the keyword columns of pages and chunks in step with their text. A text search vector holds at most a megabyte,
 * so only the start of a very long page counts.
 */

const longest = 200_000

/** The statements that create the functions and triggers. */
export const searchTriggers = (): ReadonlyArray<string> => [
  `create or replace function gbrain_page_search_vector() returns trigger language plpgsql as $$
  begin
    new.search_vector :=
      setweight(to_tsvector('english', coalesce(new.title, '')), 'A') ||
      setweight(to_tsvector('english', left(coalesce(new.compiled_truth, ''), ${longest})), 'B') ||
      setweight(to_tsvector('english', left(coalesce(new.timeline, ''), ${longest})), 'C');
    return new;
  end $$`,
  `create trigger gbrain_page_search_vector before insert or update of title, compiled_truth, timeline on pages
    for each row execute function gbrain_page_search_vector()`,
  `create or replace function gbrain_chunk_search_vector() returns trigger language plpgsql as $$
  begin
    new.search_vector :=
      setweight(to_tsvector('english', coalesce(new.symbol_name_qualified, '') || ' ' || coalesce(new.doc_comment, '')), 'A') ||
      setweight(to_tsvector('english', left(coalesce(new.chunk_text, ''), ${longest})), 'B');
    return new;
  end $$`,
  `create trigger gbrain_chunk_search_vector before insert or update of chunk_text, doc_comment, symbol_name_qualified
    on content_chunks for each row execute function gbrain_chunk_search_vector()`
]
