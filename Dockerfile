FROM python:3.12-slim
WORKDIR /app
COPY requirements.txt .
RUN pip install --no-cache-dir --require-hashes -r requirements.txt
COPY manage.py ./
COPY transcribe_site transcribe_site
COPY videos videos
COPY templates templates
COPY static static
RUN useradd --create-home desk && mkdir /data && chown desk /data
USER desk
ENV DATA_DIR=/data HOST=0.0.0.0 PYTHONUNBUFFERED=1
EXPOSE 8000
CMD ["python", "manage.py", "serve"]
