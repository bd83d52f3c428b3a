# Two commands set everything up: `make demo` and `make test`.
PYTHON ?= python3
VENV ?= .venv
BIN := $(VENV)/bin

.PHONY: demo test lint clean

$(BIN)/seg-sql: pyproject.toml
	$(PYTHON) -m venv $(VENV)
	$(BIN)/python -m pip install --quiet --upgrade pip
	$(BIN)/python -m pip install --quiet -e .
	touch $@

$(VENV)/.tests: $(BIN)/seg-sql
	$(BIN)/python -m pip install --quiet -e '.[postgres,test,lint]'
	touch $@

demo: $(BIN)/seg-sql
	test -f demo/seg_sql.yml || $(BIN)/seg-sql demo demo
	$(BIN)/seg-sql build --project-dir demo
	$(BIN)/seg-sql show rfm_segments --project-dir demo
	@echo
	@echo "The tables are in demo/demo.duckdb. Look further:"
	@echo "  $(BIN)/seg-sql explain C0000001 --project-dir demo"
	@echo "  $(BIN)/seg-sql show customer_lifecycle --project-dir demo"
	@echo "  $(BIN)/seg-sql docs --project-dir demo"
	@echo "  $(BIN)/pip install -e '.[report]' && $(BIN)/seg-sql report --project-dir demo"

test: $(VENV)/.tests
	$(BIN)/python -m pytest -n auto $(PYTEST)

lint: $(VENV)/.tests
	$(BIN)/ruff check .
	$(BIN)/ruff format --check .
	$(BIN)/mypy
	$(BIN)/seg-sql compile --lint --project-dir fixtures/every_input

clean:
	rm -rf $(VENV) demo build dist
